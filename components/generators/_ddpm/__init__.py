"""A class-conditional DDPM on pixels: training, sampling, import, costs."""
