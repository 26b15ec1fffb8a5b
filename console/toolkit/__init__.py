"""Questions beside the trees: errors, environments, networks, traces, tables, statements. Each answers with a table."""
