"""Where feedstocks come from: folders and git repositories."""
