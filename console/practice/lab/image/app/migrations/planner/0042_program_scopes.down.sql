ALTER TABLE scope_assignments DROP COLUMN is_active;
