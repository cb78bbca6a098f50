"""Operations of RDS that moto lacks or answers otherwise than AWS."""
