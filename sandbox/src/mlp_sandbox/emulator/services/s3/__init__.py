"""Operations of S3 that moto lacks or answers otherwise than AWS."""
