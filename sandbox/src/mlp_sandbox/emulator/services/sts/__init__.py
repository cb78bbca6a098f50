"""Operations of STS that moto lacks or answers otherwise than AWS."""
