"""Configuration and state directory: TOML, environment and flags become one frozen `NodeConfig`."""
