"""A SQLite database with the interface of a server."""

import sqlite3


class Sqlite:
    """A database in a file, which the first statement creates."""

    def __init__(self, file):
        self.file = file
        self.url = f"sqlite:{file}"

    def execute(self, sql):
        connection = sqlite3.connect(self.file)
        try:
            connection.executescript(sql)
        finally:
            connection.close()

    def execute_file(self, file):
        self.execute(file.read_text())

    def rows(self, select):
        """Returns the rows of a SELECT, each as a dictionary."""
        connection = sqlite3.connect(self.file)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(select)]
        finally:
            connection.close()
