"""Households reported affected, by area and authority."""
