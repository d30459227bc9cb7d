"""The main service: users, roles and permissions, sign-in, and tasks as people see them."""
