-- The tables that the guide's queries name: who may do what in which program.
CREATE TABLE users (
    id            uuid PRIMARY KEY,
    username      text NOT NULL UNIQUE,
    email         text NOT NULL UNIQUE,
    full_name     text NOT NULL,
    password_hash text NOT NULL,
    is_active     boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_login_at timestamptz
);
CREATE TABLE roles (
    id          serial PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    description text NOT NULL
);
CREATE TABLE programs (
    id         uuid PRIMARY KEY,
    code       text NOT NULL UNIQUE,
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE user_roles (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    uuid NOT NULL REFERENCES users (id),
    role_type  text NOT NULL,
    is_active  boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_user_roles_user_id ON user_roles (user_id);
CREATE TABLE scope_assignments (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_role_id uuid NOT NULL REFERENCES user_roles (id),
    scope_type   text NOT NULL,
    program_id   uuid REFERENCES programs (id),
    is_active    boolean NOT NULL DEFAULT true,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_scope_assignments_user_role_id ON scope_assignments (user_role_id);
CREATE TABLE projects (
    id         uuid PRIMARY KEY,
    program_id uuid NOT NULL REFERENCES programs (id),
    name       text NOT NULL,
    status     text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_projects_program_id ON projects (program_id);
CREATE TABLE tasks (
    id         bigserial PRIMARY KEY,
    project_id uuid NOT NULL REFERENCES projects (id),
    title      text NOT NULL,
    status     text NOT NULL,
    due_date   date NOT NULL
);
CREATE INDEX idx_tasks_project_id ON tasks (project_id);
CREATE TABLE alembic_version (
    version_num varchar(32) PRIMARY KEY
);

INSERT INTO users (id, username, email, full_name, password_hash, created_at, last_login_at)
SELECT md5('user' || n)::uuid, format('user%s', n), format('user%s@planner.local', n), format('User %s', n),
       'sha256$' || encode(sha256(('user' || n)::bytea), 'hex'), now() - n * interval '2 days', now() - n * interval '20 minutes'
FROM generate_series(1, 60) AS g (n);
INSERT INTO users (id, username, email, full_name, password_hash, created_at, last_login_at)
VALUES (md5('test')::uuid, 'test', 'test@planner.local', 'Test', 'sha256$' || encode(sha256('test'::bytea), 'hex'), now() - interval '200 days', now() - interval '1 hour'),
       (md5('admin')::uuid, 'admin', 'admin@planner.local', 'Administrator', 'sha256$' || encode(sha256('admin'::bytea), 'hex'), now() - interval '400 days', now() - interval '5 minutes');
INSERT INTO roles (name, description)
VALUES ('ADMIN', 'May do everything'), ('PROGRAM_MANAGER', 'Plans programs'), ('MEMBER', 'Works in projects'), ('VIEWER', 'Reads');
INSERT INTO programs (id, code, name, created_at)
SELECT md5('program' || n)::uuid, format('P-%s', 100 + n), format('Program %s', n), now() - n * interval '30 days'
FROM generate_series(1, 8) AS g (n);
INSERT INTO user_roles (id, user_id, role_type, created_at)
SELECT md5('role of user' || n)::uuid, md5('user' || n)::uuid,
       CASE WHEN n % 10 = 0 THEN 'PROGRAM_MANAGER' WHEN n % 3 = 0 THEN 'VIEWER' ELSE 'MEMBER' END, now() - n * interval '2 days'
FROM generate_series(1, 60) AS g (n);
INSERT INTO user_roles (id, user_id, role_type, created_at)
VALUES (md5('role of test')::uuid, md5('test')::uuid, 'MEMBER', now() - interval '200 days'),
       (md5('role of admin')::uuid, md5('admin')::uuid, 'ADMIN', now() - interval '400 days');
INSERT INTO scope_assignments (id, user_role_id, scope_type, program_id, created_at)
SELECT md5('scope of user' || n)::uuid, md5('role of user' || n)::uuid, 'PROGRAM', md5('program' || (1 + n % 8))::uuid, now() - n * interval '2 days'
FROM generate_series(1, 60) AS g (n);
INSERT INTO scope_assignments (id, user_role_id, scope_type, program_id, created_at)
VALUES (md5('scope of test')::uuid, md5('role of test')::uuid, 'PROGRAM', md5('program1')::uuid, now() - interval '200 days'),
       (md5('scope of admin')::uuid, md5('role of admin')::uuid, 'ORGANIZATION', NULL, now() - interval '400 days');
INSERT INTO projects (id, program_id, name, status, created_at)
SELECT md5('project' || n)::uuid, md5('program' || (1 + n % 8))::uuid, format('Project %s', n),
       CASE WHEN n % 7 = 0 THEN 'closed' ELSE 'open' END, now() - n * interval '1 day'
FROM generate_series(1, 1200) AS g (n);
INSERT INTO tasks (project_id, title, status, due_date)
SELECT md5('project' || (1 + n % 1200))::uuid, format('Task %s', n), CASE WHEN n % 3 = 0 THEN 'done' ELSE 'open' END, current_date + (n % 60)::integer
FROM generate_series(1, 9600) AS g (n);
INSERT INTO alembic_version (version_num) VALUES ('0042_program_scopes');
