"""The kiosk's own small widget set (Kivy)."""
