"""Recipes: v1 ``recipe.yaml`` (CEP 13, 14) as rendered values, and what is wrong with one."""
