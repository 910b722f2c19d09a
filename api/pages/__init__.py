"""The pages that people see: verify a file or a code, and look a record up, in Indonesian and English."""
