"""Implementations of the ports. Only here are web3, ipfshttpclient and SQLAlchemy imported."""
