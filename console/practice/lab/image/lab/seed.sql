-- The same rows at every first start, but for the dates: those lie in the semester that runs today.
INSERT INTO "user" (email, full_name, password_hash)
SELECT format('student%s@studentmanagement.local', n), format('Student %s', n), 'sha256$' || encode(sha256(('student' || n)::bytea), 'hex')
FROM generate_series(1, 400) AS n;
INSERT INTO "user" (email, full_name, password_hash)
SELECT format('teacher%s@studentmanagement.local', n), format('Teacher %s', n), 'sha256$' || encode(sha256(('teacher' || n)::bytea), 'hex')
FROM generate_series(1, 12) AS n;
INSERT INTO "user" (email, full_name, password_hash)
VALUES ('admin@studentmanagement.local', 'Administrator', 'sha256$' || encode(sha256('admin'::bytea), 'hex'));
INSERT INTO role (name) VALUES ('student'), ('teacher'), ('admin');
INSERT INTO user_permission (user_id, permission_name)
SELECT id, permission
FROM "user", unnest(ARRAY ['grades:read', 'attendance:read', 'courses:read']) AS permission;
INSERT INTO user_permission (user_id, permission_name)
SELECT id, permission
FROM "user", unnest(ARRAY ['grades:write', 'attendance:write']) AS permission
WHERE email NOT LIKE 'student%';
INSERT INTO student (user_id, student_number, enrolled_on)
SELECT id, format('S%s', 10000 + id), current_date - 60
FROM "user" WHERE email LIKE 'student%' ORDER BY id;
INSERT INTO course (code, title)
VALUES ('MATH-101', 'Mathematics'), ('PHYS-101', 'Physics'), ('HIST-101', 'History'), ('BIOL-101', 'Biology'), ('ENGL-101', 'English');
INSERT INTO enrollment (student_id, course_id)
SELECT student.id, course.id FROM student, course WHERE (student.id + course.id) % 5 < 3 ORDER BY 1, 2;
INSERT INTO grade (enrollment_id, assessment_name, score, grade_date)
SELECT enrollment.id, format('Assessment %s', n), 40 + (enrollment.id * 7 + n * 13) % 61, current_date - n * 9
FROM enrollment, generate_series(1, 5) AS n;
INSERT INTO attendance (student_id, attendance_date, status)
SELECT student.id, current_date - n, CASE WHEN (student.id * 3 + n) % 11 = 0 THEN 'absent' WHEN (student.id + n) % 17 = 0 THEN 'late' ELSE 'present' END
FROM student, generate_series(0, 44) AS n;
INSERT INTO alembic_version (version_num) VALUES ('0003_login_event');
ANALYZE;
