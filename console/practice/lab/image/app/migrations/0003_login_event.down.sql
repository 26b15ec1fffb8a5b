DROP TABLE login_event;
