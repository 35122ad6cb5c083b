"""The parts of `msl encode`: what is asked, pictures decoded ahead, features written as they come, files at the end."""
