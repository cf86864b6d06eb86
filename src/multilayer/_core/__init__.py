"""What everything computes with: memory that stays (`arena`), and the products and loops themselves (`kernels`)."""
