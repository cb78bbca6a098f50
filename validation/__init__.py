"""How everything that people write as YAML is checked: strict, frozen models, and errors in plain words."""
