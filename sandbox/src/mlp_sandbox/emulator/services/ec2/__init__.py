"""Operations of EC2 that moto lacks or answers differently from AWS."""
