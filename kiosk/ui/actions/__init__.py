"""Actions behind the screens and their state: calls to services and devices (asyncio, no Kivy)."""
