"""The command line: one short file a command, each a few lines over one public function."""
