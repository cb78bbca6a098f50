"""Operations of Auto Scaling that moto lacks or answers differently from AWS."""
