"""What is remembered: tables, repositories, migrations, the snapshot compiler."""
