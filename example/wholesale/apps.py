from django.apps import AppConfig


class WholesaleConfig(AppConfig):
    name = "example.wholesale"
    label = "wholesale"
