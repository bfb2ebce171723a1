"""Downloads: resumable files, archives, mirrors."""
