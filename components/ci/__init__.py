"""Roles of GitHub's workflows: who may assume them, and what each may do."""
