"""Operations of EKS that moto lacks or answers differently from AWS."""
