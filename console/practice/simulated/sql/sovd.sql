-- The tables that the guide's queries name: people with a role, vehicles, diagnostic sessions, commands and what was done.
CREATE TABLE users (
    id            serial PRIMARY KEY,
    username      text NOT NULL UNIQUE,
    email         text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    role          text NOT NULL DEFAULT 'engineer',
    is_active     boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_login_at timestamptz
);
CREATE TABLE vehicles (
    id                serial PRIMARY KEY,
    vin               text NOT NULL UNIQUE,
    make              text NOT NULL,
    model             text NOT NULL,
    year              integer NOT NULL,
    connection_status text NOT NULL DEFAULT 'disconnected',
    last_seen_at      timestamptz
);
CREATE TABLE sessions (
    id         serial PRIMARY KEY,
    user_id    integer NOT NULL REFERENCES users (id),
    vehicle_id integer NOT NULL REFERENCES vehicles (id),
    status     text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);
CREATE TABLE commands (
    id           serial PRIMARY KEY,
    user_id      integer NOT NULL REFERENCES users (id),
    vehicle_id   integer NOT NULL REFERENCES vehicles (id),
    command_name text NOT NULL,
    status       text NOT NULL,
    submitted_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz
);
CREATE INDEX idx_commands_vehicle_id ON commands (vehicle_id);
CREATE INDEX idx_commands_submitted_at ON commands (submitted_at);
CREATE TABLE responses (
    id          serial PRIMARY KEY,
    command_id  integer NOT NULL REFERENCES commands (id),
    payload     text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_responses_command_id ON responses (command_id);
CREATE TABLE audit_logs (
    id             bigserial PRIMARY KEY,
    user_id        integer REFERENCES users (id),
    action         text NOT NULL,
    correlation_id text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_audit_logs_created_at ON audit_logs (created_at);

INSERT INTO users (username, email, password_hash, role, created_at, last_login_at)
SELECT format('engineer%s', n), format('engineer%s@sovd.local', n), 'sha256$' || encode(sha256(('engineer' || n)::bytea), 'hex'),
       'engineer', now() - n * interval '11 days', now() - n * interval '35 minutes'
FROM generate_series(1, 30) AS g (n);
INSERT INTO users (username, email, password_hash, role, created_at, last_login_at)
VALUES ('admin', 'admin@sovd.local', 'sha256$' || encode(sha256('admin'::bytea), 'hex'), 'admin', now() - interval '500 days', now() - interval '12 minutes'),
       ('john_doe', 'john.doe@sovd.local', 'sha256$' || encode(sha256('john_doe'::bytea), 'hex'), 'engineer', now() - interval '90 days', now() - interval '8 minutes');
INSERT INTO vehicles (vin, make, model, year, connection_status, last_seen_at)
SELECT format('WDD%s', 10000000000000 + n * 7919), CASE WHEN n % 2 = 0 THEN 'Aurora' ELSE 'Borealis' END, format('M%s', 1 + n % 5),
       2020 + (n % 6)::integer, CASE WHEN n % 4 = 0 THEN 'disconnected' ELSE 'connected' END, now() - n * interval '41 seconds'
FROM generate_series(1, 80) AS g (n);
INSERT INTO sessions (user_id, vehicle_id, status, started_at, ended_at)
SELECT 1 + n % 32, 1 + n % 80, CASE WHEN n <= 6 THEN 'active' ELSE 'closed' END, now() - n * interval '23 minutes',
       CASE WHEN n > 6 THEN now() - n * interval '23 minutes' + interval '15 minutes' END
FROM generate_series(1, 240) AS g (n);
INSERT INTO commands (user_id, vehicle_id, command_name, status, submitted_at, completed_at)
SELECT 1 + n % 32, 1 + n % 80, CASE WHEN n % 3 = 0 THEN 'ReadDTC' WHEN n % 3 = 1 THEN 'ReadDataByIdentifier' ELSE 'ClearDTC' END,
       CASE WHEN n % 97 = 0 THEN 'failed' ELSE 'completed' END, now() - n * interval '95 seconds', now() - n * interval '95 seconds' + interval '2 seconds'
FROM generate_series(1, 6000) AS g (n);
INSERT INTO responses (command_id, payload, received_at)
SELECT id, '{"dtcs": []}', completed_at FROM commands WHERE status = 'completed' ORDER BY id;
INSERT INTO audit_logs (user_id, action, correlation_id, created_at)
SELECT 1 + n % 32, CASE WHEN n % 5 = 0 THEN 'user_login' ELSE 'command_submitted' END, md5('request' || n), now() - n * interval '80 seconds'
FROM generate_series(1, 9000) AS g (n);
