"""The one recurrence of all returns, x_t = b_t + a_t·x_{t+1}, on NumPy and Torch."""
