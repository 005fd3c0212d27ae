"""Reports: blocks, one self-contained HTML page, and its Markdown twin."""
