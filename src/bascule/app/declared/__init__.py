"""What a folder of files declares, kept in force: tools, bundles, servers, rules, APIs."""
