"""Operations of IAM that moto lacks or answers differently from AWS."""
