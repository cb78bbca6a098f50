"""Operations of S3 that moto lacks or answers differently from AWS."""
