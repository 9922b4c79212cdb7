"""The desk over the Model Context Protocol: questions, what-ifs, reports and two-step requests as tools."""
