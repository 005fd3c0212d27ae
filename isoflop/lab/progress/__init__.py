"""What a study is doing now, in lines or bars."""
