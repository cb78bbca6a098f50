"""Operations of RDS that moto lacks or answers differently from AWS."""
