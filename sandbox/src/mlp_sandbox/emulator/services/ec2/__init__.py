"""Operations of EC2 that moto lacks or answers otherwise than AWS."""
