"""Run folders: one writer puts every result on disk as it comes, and a reader gives tables back."""
