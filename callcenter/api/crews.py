"""Crews."""

from callcenter.crews.actions import add_crew
from callcenter.crews.queries import crews, crews_of
from callcenter.crews.rules import in_order_of_fitness

__all__ = ["add_crew", "crews", "crews_of", "in_order_of_fitness"]
