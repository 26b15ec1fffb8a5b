-- The tables that the guide's queries name.
CREATE TABLE role (
    id   serial PRIMARY KEY,
    name text NOT NULL UNIQUE
);
CREATE TABLE "user" (
    id            serial PRIMARY KEY,
    email         text NOT NULL UNIQUE,
    full_name     text NOT NULL,
    password_hash text NOT NULL,
    is_active     boolean NOT NULL DEFAULT true,
    role_id       integer NOT NULL DEFAULT 1 REFERENCES role (id),
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE user_permission (
    user_id         integer NOT NULL REFERENCES "user" (id),
    permission_name text NOT NULL,
    PRIMARY KEY (user_id, permission_name)
);
CREATE TABLE student (
    id             serial PRIMARY KEY,
    user_id        integer NOT NULL REFERENCES "user" (id),
    student_number text NOT NULL UNIQUE,
    enrolled_on    date NOT NULL
);
CREATE TABLE course (
    id    serial PRIMARY KEY,
    code  text NOT NULL UNIQUE,
    title text NOT NULL
);
CREATE TABLE enrollment (
    id         serial PRIMARY KEY,
    student_id integer NOT NULL REFERENCES student (id),
    course_id  integer NOT NULL REFERENCES course (id),
    UNIQUE (student_id, course_id)
);
CREATE TABLE grade (
    id              serial PRIMARY KEY,
    enrollment_id   integer NOT NULL REFERENCES enrollment (id),
    assessment_name text NOT NULL,
    score           numeric(5, 2) NOT NULL,
    grade_date      date NOT NULL
);
CREATE INDEX idx_grades_student_course ON grade (enrollment_id);
CREATE TABLE attendance (
    id              serial PRIMARY KEY,
    student_id      integer NOT NULL REFERENCES student (id),
    attendance_date date NOT NULL,
    status          text NOT NULL
);
CREATE INDEX idx_attendance_student_date ON attendance (student_id, attendance_date);
CREATE TABLE semester (
    id         serial PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    starts_on  date NOT NULL,
    ends_on    date NOT NULL,
    is_current boolean NOT NULL DEFAULT false
);
CREATE TABLE login_event (
    id        bigserial PRIMARY KEY,
    email     text NOT NULL,
    accepted  boolean NOT NULL,
    logged_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE alembic_version (
    version_num varchar(32) PRIMARY KEY
);

-- The same rows at every first start, but for the dates: those lie in the semester that runs today.
INSERT INTO role (name) VALUES ('student'), ('teacher'), ('admin');
INSERT INTO "user" (email, full_name, password_hash)
SELECT format('student%s@studentmanagement.local', n), format('Student %s', n), 'sha256$' || encode(sha256(('student' || n)::bytea), 'hex')
FROM generate_series(1, 400) AS n;
INSERT INTO "user" (email, full_name, password_hash, role_id)
SELECT format('teacher%s@studentmanagement.local', n), format('Teacher %s', n), 'sha256$' || encode(sha256(('teacher' || n)::bytea), 'hex'), 2
FROM generate_series(1, 12) AS n;
INSERT INTO "user" (email, full_name, password_hash, role_id)
VALUES ('admin@studentmanagement.local', 'Administrator', 'sha256$' || encode(sha256('admin'::bytea), 'hex'), 3);
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
SELECT enrollment.id, format('Assessment %s', n), 40 + (enrollment.id * 7 + n * 13) % 61, current_date - (n * 9)::integer
FROM enrollment, generate_series(1, 5) AS n;
INSERT INTO attendance (student_id, attendance_date, status)
SELECT student.id, current_date - n::integer, CASE WHEN (student.id * 3 + n) % 11 = 0 THEN 'absent' WHEN (student.id + n) % 17 = 0 THEN 'late' ELSE 'present' END
FROM student, generate_series(0, 44) AS n;
INSERT INTO semester (name, starts_on, ends_on, is_current)
VALUES ('Semester 1', current_date - 270, current_date - 105, false), ('Semester 2', current_date - 90, current_date + 60, true);
INSERT INTO alembic_version (version_num) VALUES ('0003_login_event');
