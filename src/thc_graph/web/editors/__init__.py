"""Behind the editors' port: updates and graphs."""
