CREATE TABLE IF NOT EXISTS login_event (
    id        bigserial PRIMARY KEY,
    email     text NOT NULL,
    accepted  boolean NOT NULL,
    logged_at timestamptz NOT NULL DEFAULT now()
);
