"""What runs, studies and inspections look like as HTML pages, with the files that go with them."""
