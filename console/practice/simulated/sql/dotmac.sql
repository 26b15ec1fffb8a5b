-- The tables that the guide's queries name: customers, their invoices and payments, the people who log in, the devices polled.
CREATE TABLE tenants (
    id   serial PRIMARY KEY,
    name text NOT NULL UNIQUE
);
CREATE TABLE users (
    id                    serial PRIMARY KEY,
    tenant_id             integer NOT NULL REFERENCES tenants (id),
    email                 text NOT NULL UNIQUE,
    full_name             text NOT NULL,
    password_hash         text NOT NULL,
    is_active             boolean NOT NULL DEFAULT true,
    failed_login_attempts integer NOT NULL DEFAULT 0,
    locked_until          timestamptz,
    last_login_at         timestamptz,
    created_at            timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE customers (
    id         serial PRIMARY KEY,
    tenant_id  integer NOT NULL REFERENCES tenants (id),
    portal_id  text NOT NULL,
    email      text NOT NULL,
    full_name  text NOT NULL,
    status     text NOT NULL DEFAULT 'active',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_customers_email ON customers (email);
CREATE INDEX idx_customers_tenant_id ON customers (tenant_id);
CREATE INDEX idx_customers_status ON customers (status);
CREATE INDEX idx_customers_created_at ON customers (created_at);
CREATE TABLE service_instances (
    id          serial PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers (id),
    plan        text NOT NULL,
    status      text NOT NULL DEFAULT 'active'
);
CREATE INDEX idx_service_instances_customer_id ON service_instances (customer_id);
CREATE TABLE invoices (
    id          serial PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers (id),
    amount      numeric(10, 2) NOT NULL,
    status      text NOT NULL,
    due_date    date NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_invoices_customer_id ON invoices (customer_id);
CREATE TABLE payment_methods (
    id          serial PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers (id),
    kind        text NOT NULL,
    is_valid    boolean NOT NULL DEFAULT true,
    expires_on  date NOT NULL
);
CREATE TABLE payments (
    id                serial PRIMARY KEY,
    invoice_id        integer NOT NULL REFERENCES invoices (id),
    customer_id       integer NOT NULL REFERENCES customers (id),
    payment_method_id integer REFERENCES payment_methods (id),
    amount            numeric(10, 2) NOT NULL,
    status            text NOT NULL,
    error_message     text,
    created_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_payments_status ON payments (status);
CREATE INDEX idx_payments_invoice_id ON payments (invoice_id);
CREATE TABLE webhook_events (
    id              serial PRIMARY KEY,
    provider        text NOT NULL,
    event_type      text NOT NULL,
    signature_valid boolean NOT NULL,
    status          text NOT NULL,
    error_message   text,
    received_at     timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE network_devices (
    id             serial PRIMARY KEY,
    name           text NOT NULL UNIQUE,
    ip_address     text NOT NULL,
    snmp_version   text NOT NULL,
    status         text NOT NULL,
    last_polled_at timestamptz
);
CREATE TABLE alembic_version (
    version_num varchar(32) PRIMARY KEY
);

INSERT INTO tenants (name) VALUES ('Northern Fibre'), ('Lakeside Wireless');
INSERT INTO users (tenant_id, email, full_name, password_hash, last_login_at, created_at)
SELECT 1 + n % 2, format('user%s@dotmac.local', n), format('User %s', n), 'sha256$' || encode(sha256(('user' || n)::bytea), 'hex'),
       now() - n * interval '25 minutes', now() - n * interval '9 days'
FROM generate_series(1, 40) AS g (n);
INSERT INTO users (tenant_id, email, full_name, password_hash, last_login_at, created_at)
VALUES (1, 'admin@dotmac.local', 'Administrator', 'sha256$' || encode(sha256('admin'::bytea), 'hex'), now() - interval '10 minutes', now() - interval '700 days');
INSERT INTO customers (tenant_id, portal_id, email, full_name, status, created_at)
SELECT 1 + n % 2, format('PRT-%s', 100000 + n), format('customer%s@example.net', n), format('Customer %s', n),
       CASE WHEN n % 19 = 0 THEN 'suspended' ELSE 'active' END, now() - (n % 700) * interval '1 day'
FROM generate_series(1, 12000) AS g (n);
INSERT INTO service_instances (customer_id, plan)
SELECT n, CASE WHEN n % 3 = 0 THEN 'fibre-1000' WHEN n % 3 = 1 THEN 'fibre-300' ELSE 'radio-50' END FROM generate_series(1, 12000) AS g (n);
INSERT INTO payment_methods (customer_id, kind, expires_on)
SELECT n, CASE WHEN n % 4 = 0 THEN 'debit' ELSE 'card' END, current_date + (90 + n % 900)::integer FROM generate_series(1, 600) AS g (n);
INSERT INTO invoices (customer_id, amount, status, due_date, created_at)
SELECT n, 19.90 + n % 60, CASE WHEN n % 12 = 0 THEN 'open' ELSE 'paid' END, current_date + (14 - n % 28)::integer, now() - (n % 28) * interval '1 day'
FROM generate_series(1, 600) AS g (n);
INSERT INTO payments (invoice_id, customer_id, payment_method_id, amount, status, error_message, created_at)
SELECT n, n, n, 19.90 + n % 60, CASE WHEN n % 150 = 0 THEN 'failed' ELSE 'succeeded' END,
       CASE WHEN n % 150 = 0 THEN 'insufficient_funds' END, now() - (n % 600) * interval '17 minutes' - interval '20 minutes'
FROM generate_series(1, 600) AS g (n) WHERE n % 12 <> 0;
INSERT INTO webhook_events (provider, event_type, signature_valid, status, received_at)
SELECT 'payment-processor', 'payment.succeeded', true, 'processed', now() - n * interval '17 minutes'
FROM generate_series(1, 200) AS g (n);
INSERT INTO network_devices (name, ip_address, snmp_version, status, last_polled_at)
SELECT format('switch-%s', n), format('192.168.1.%s', n), '2c', 'up', now() - n * interval '7 seconds'
FROM generate_series(1, 12) AS g (n);
INSERT INTO alembic_version (version_num) VALUES ('0117_portal_ids');
