-- The tables that the guide's queries name.
CREATE TABLE "user" (
    id            serial PRIMARY KEY,
    email         text NOT NULL UNIQUE,
    full_name     text NOT NULL,
    password_hash text NOT NULL,
    is_active     boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE role (
    id   serial PRIMARY KEY,
    name text NOT NULL UNIQUE
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
CREATE TABLE login_event (
    id        bigserial PRIMARY KEY,
    email     text NOT NULL,
    accepted  boolean NOT NULL,
    logged_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE alembic_version (
    version_num varchar(32) PRIMARY KEY
);
