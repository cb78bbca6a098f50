"""Operations of Auto Scaling that moto lacks or answers otherwise than AWS."""
