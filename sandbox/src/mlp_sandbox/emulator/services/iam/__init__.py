"""Operations of IAM that moto lacks or answers otherwise than AWS."""
