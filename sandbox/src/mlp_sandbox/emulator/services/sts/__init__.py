"""Operations of STS that moto lacks or answers differently from AWS."""
