"""The courtroom's devices and storages as a hearing sees them."""
