"""Feedstocks: who maintains them and which outputs they own."""
