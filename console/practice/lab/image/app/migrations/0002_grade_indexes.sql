CREATE INDEX IF NOT EXISTS idx_grades_student_course ON grade (enrollment_id);
CREATE INDEX IF NOT EXISTS idx_attendance_student_date ON attendance (student_id, attendance_date);
