"""Operations of EKS that moto lacks or answers otherwise than AWS."""
