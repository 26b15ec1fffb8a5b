DROP INDEX IF EXISTS idx_attendance_student_date;
DROP INDEX IF EXISTS idx_grades_student_course;
